"use strict";
// Pictures: one slider draws L over S, and one place is magnified in all of them.
const pictures = document.getElementById("pictures");
if (pictures) {
  const [cut, zoom, times, whole] = ["cut", "zoom", "times", "whole"].map((name) => document.getElementById(name));
  const centre = { x: 0.5, y: 0.5 };  // of what is seen, in shares of a picture
  let held = null;  // the picture under a pressed pointer, and where it went down

  for (const image of pictures.querySelectorAll("img[data-same]")) image.src = document.getElementById(image.dataset.same).src;

  const draw = () => {
    const half = 0.5 / zoom.value;
    for (const axis of ["x", "y"]) {
      centre[axis] = Math.min(1 - half, Math.max(half, centre[axis]));
      pictures.style.setProperty(`--${axis}`, `${100 * centre[axis]}%`);
    }
    pictures.style.setProperty("--zoom", zoom.value);
    pictures.style.setProperty("--cut", `${cut.value}%`);
    pictures.classList.toggle("near", zoom.value > 1);
    times.value = `${zoom.value}×`;
  };
  const move = (x, y) => { centre.x += x / zoom.value; centre.y += y / zoom.value; draw(); };
  const magnify = (value) => { zoom.value = value; draw(); };

  for (const slider of [cut, zoom]) slider.addEventListener("input", draw);
  whole.addEventListener("click", () => magnify(1));

  pictures.addEventListener("pointerdown", (event) => {
    const picture = event.target.closest(".picture");
    held = picture && event.button === 0 ? { box: picture.getBoundingClientRect(), x: event.clientX, y: event.clientY, far: false } : null;
  });
  document.addEventListener("pointermove", (event) => {
    if (!held || (!held.far && Math.hypot(event.clientX - held.x, event.clientY - held.y) < 5)) return;
    held.far = true;
    move((held.x - event.clientX) / held.box.width, (held.y - event.clientY) / held.box.height);
    [held.x, held.y] = [event.clientX, event.clientY];
  });
  document.addEventListener("pointerup", () => {
    if (held && !held.far) {
      const [x, y] = [(held.x - held.box.left) / held.box.width, (held.y - held.box.top) / held.box.height];
      if (zoom.value > 1) move(x - 0.5, y - 0.5);
      else { Object.assign(centre, { x, y }); magnify(4); }
    }
    held = null;
  });
  document.addEventListener("pointercancel", () => { held = null; });
  pictures.addEventListener("dragstart", (event) => event.preventDefault());

  pictures.addEventListener("keydown", (event) => {
    if (!event.target.matches(".matrix") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    const factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, Escape: 0 }[event.key];
    if (step && zoom.value > 1) move(...step);
    else if (factor !== undefined) magnify(zoom.value * factor);
    else return;
    event.preventDefault();
  });
  draw();
}
