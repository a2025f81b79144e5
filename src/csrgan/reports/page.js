"use strict";
// Pictures: one slider draws L over S, and the same spot is magnified in all of them.
const pictures = document.getElementById("pictures");
if (pictures) {
  const [cut, zoom, times, whole] = ["cut", "zoom", "times", "whole"].map((name) => document.getElementById(name));
  const centre = { x: 0.5, y: 0.5 };  // of the visible part, as fractions of a picture
  let drag = null;  // the box of the picture under a pressed pointer, and where the pointer was last

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
    drag = picture && event.button === 0 ? { box: picture.getBoundingClientRect(), x: event.clientX, y: event.clientY, far: false } : null;
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || (!drag.far && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 5)) return;
    drag.far = true;
    move((drag.x - event.clientX) / drag.box.width, (drag.y - event.clientY) / drag.box.height);
    [drag.x, drag.y] = [event.clientX, event.clientY];
  });
  document.addEventListener("pointerup", () => {
    if (drag && !drag.far) {
      const [x, y] = [(drag.x - drag.box.left) / drag.box.width, (drag.y - drag.box.top) / drag.box.height];
      if (zoom.value > 1) move(x - 0.5, y - 0.5);
      else { Object.assign(centre, { x, y }); magnify(4); }
    }
    drag = null;
  });
  document.addEventListener("pointercancel", () => { drag = null; });
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
