// Rows: sorted by a score of a column, and those shown whose name holds what was typed.
{
  const matrix = document.querySelector(".matrix");
  const [order, filter, count] = ["order", "filter", "count"].map((name) => document.getElementById(name));
  const rows = [...matrix.querySelectorAll(".row")].map((row, index) => (
    { row, index, name: row.dataset.name.toLowerCase(), values: JSON.parse(row.dataset.values) }));

  const sort = () => {
    const worst = order.value.startsWith("-");
    const key = order.value.replace("-", "");
    const value = (each) => (!key ? each.index : key in each.values ? (worst ? -1 : 1) * each.values[key] : Infinity);
    const sorted = rows.map((each) => [value(each), each]).sort(([a, first], [b, second]) => (
      a === b ? first.index - second.index : a - b));
    matrix.append(...sorted.map(([, each]) => each.row));
  };
  const show = () => {
    const words = filter.value.toLowerCase().split(" ").filter(Boolean);
    for (const { row, name } of rows) row.hidden = !words.every((word) => name.includes(word));
    const shown = rows.filter(({ row }) => !row.hidden).length;
    count.value = shown === rows.length ? `${shown} pictures` : `${shown} of ${rows.length} pictures`;
  };
  order.addEventListener("change", sort);
  filter.addEventListener("input", show);
  show();
}
