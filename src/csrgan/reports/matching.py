"""Match pictures of several folders by the names that programs give them: `cat.png`, `cat_x2.png`, `cat-restored.jpg`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

Match = dict[int, PurePath]  # the picture of each folder that has it, by the number of the folder

# Words that programs add at the end or the beginning of a name.
KINDS = (
    r"out|output|outputs|result|results|restored|restoration|recon|enhanced|upscaled|enlarged|sr|hr|gt|l[rq][a-z]*|low|high|sharp|clean"
    r"|input|inputs|target|original|degraded|noisy|blurry|blur|ours|pred|predicted|fake|denoised|deblurred|bicubic|bilinear|nearest"
)
END = re.compile(rf"(?<=[^\W_])([\W_]+({KINDS})([\W_]?x?\d(\.\d+)?)?|[\W_]+x?[1-9](\.\d+)?x|[\W_]*x[1-9](\.\d+)?)$")
START = re.compile(rf"^({KINDS})[\W_]+(?=[^\W_])")


def match(folders: Sequence[Sequence[PurePath]]) -> list[Match]:
    """Return groups of pictures that belong together, at most one of each folder, in the order of their names; one that belongs to
    no other is a group of its own.

    folders: the names in each, relative to it. The same name goes first, whatever its suffix; then names without the words that
    programs add; without what all names of a folder begin or end with; without the folders they lie in; and at last names of which
    one begins with the other. Names that are the same for two pictures of a folder match nothing.
    """
    groups = [{number: name} for number, names in enumerate(folders) for name in names]
    cut = [_cutter(names) for names in folders]
    keys: list[Callable[[int, PurePath], str]] = [
        lambda _, name: _stem(name),
        lambda _, name: _plain(_stem(name)),
        lambda number, name: _plain(cut[number](_stem(name))),
        lambda number, name: PurePath(_plain(cut[number](_stem(name)))).name,
    ]
    for key in keys:
        groups = _joined(groups, key)
    return sorted(_begun(groups), key=lambda group: _stem(group[min(group)]))


def _stem(name: PurePath) -> str:
    return name.with_suffix("").as_posix().casefold()


def _plain(stem: str) -> str:
    """Return a name without the words that programs add."""
    folder, slash, name = stem.rpartition("/")
    while (shorter := START.sub("", END.sub("", name))) != name:
        name = shorter
    return folder + slash + name


def _cutter(names: Sequence[PurePath]) -> Callable[[str], str]:
    """Return what cuts off the words that the names of all pictures of a folder begin or end with."""
    stems = [_stem(name).rpartition("/")[2] for name in names]
    first, last = (len(re.sub(r"[^\W_]*$", "", _common(each))) for each in (stems, [stem[::-1] for stem in stems]))

    def cut(stem: str) -> str:
        folder, slash, name = stem.rpartition("/")
        return folder + slash + (name[first : len(name) - last] or name)

    return cut


def _common(texts: Sequence[str]) -> str:
    """Return what several texts begin with; nothing for a single one."""
    least, greatest = min(texts, default=""), max(texts, default="")
    length = next((index for index, letter in enumerate(least) if letter != greatest[index]), len(least))
    return least[:length] if len(texts) > 1 else ""


def _joined(groups: Sequence[Match], key: Callable[[int, PurePath], str]) -> list[Match]:
    """Join groups that have a key in common, if that leaves at most one picture of each folder."""
    having: defaultdict[str, list[Match]] = defaultdict(list)
    for group in groups:
        for name in dict.fromkeys(key(number, name) for number, name in group.items()):
            having[name].append(group)
    merged: dict[int, Match] = {id(group): group for group in groups}
    for found in having.values():
        distinct = list({id(merged[id(group)]): merged[id(group)] for group in found}.values())
        if len(distinct) > 1 and max(Counter(number for group in distinct for number in group).values()) == 1:
            whole = {number: name for group in distinct for number, name in group.items()}
            merged = {each: whole if any(group is one for one in distinct) else group for each, group in merged.items()}
    return list({id(group): group for group in merged.values()}.values())


def _begun(groups: Sequence[Match]) -> Iterator[Match]:
    """Join a picture that no other belongs to with the only group whose name it begins with, and goes on with a word."""
    joined = [dict(group) for group in groups]
    for alone in sorted((group for group in joined if len(group) == 1), key=lambda group: -len(_stem(next(iter(group.values()))))):
        (number, name), *more = alone.items()
        if more:  # it has found another in the meantime
            continue
        hosts = [group for group in joined if group is not alone and number not in group and _goes_on(_stem(name), group)]
        if len(hosts) == 1:
            hosts[0][number] = name
            joined = [group for group in joined if group is not alone]
    yield from joined


def _goes_on(stem: str, group: Match) -> bool:
    """Return whether a name is one of the group's with a word added that is more than a number."""
    rests = (stem.removeprefix(base) for base in map(_stem, group.values()) if stem.startswith(base))
    return any(re.fullmatch(r"[\W_](?=.*[a-z]).+", rest) for rest in rests)
