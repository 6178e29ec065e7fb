// A box on the picture: drawn with the pointer, moved with the arrow keys, typed as numbers. In pixels of the full page.

export class Box {
  // stage: takes the pointer and the keys. paper: what the picture lies in. mark: shows the box. inputs: x1, y1, x2, y2.
  constructor(stage, paper, mark, inputs) {
    this.stage = stage;
    this.paper = paper;
    this.mark = mark;
    this.inputs = inputs;
    this.size = [0, 0];
    this.value = null;
    this.active = false;
    this.from = null;
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    for (const kind of ["pointerup", "pointercancel"]) stage.addEventListener(kind, () => { this.from = null; });
    stage.addEventListener("keydown", (event) => this.key(event));
    for (const input of inputs) input.addEventListener("input", () => this.typed());
  }

  reset(width, height) {
    this.size = [width, height];
    this.inputs.forEach((input, at) => { input.max = this.size[at % 2]; });
    this.set(null);
  }

  // A box in order and inside the page; null for none, or for one without area.
  set(value) {
    if (value) {
      const [w, h] = this.size;
      const clamp = (number, most) => Math.max(0, Math.min(Math.round(number), most));
      const xs = [clamp(value[0], w), clamp(value[2], w)].sort((a, b) => a - b);
      const ys = [clamp(value[1], h), clamp(value[3], h)].sort((a, b) => a - b);
      value = xs[0] < xs[1] && ys[0] < ys[1] ? [xs[0], ys[0], xs[1], ys[1]] : null;
    }
    this.value = value;
    this.inputs.forEach((input, at) => { input.value = value ? value[at] : ""; });
    this.show();
  }

  show() {
    this.mark.hidden = !this.value || !this.active;
    if (this.mark.hidden) return;
    const [w, h] = this.size, [x1, y1, x2, y2] = this.value;
    const percent = (part, whole) => (100 * part) / whole + "%";
    Object.assign(this.mark.style, {
      left: percent(x1, w), top: percent(y1, h), width: percent(x2 - x1, w), height: percent(y2 - y1, h),
    });
  }

  enable(active) {
    this.active = active;
    this.show();
  }

  point(event) {
    const area = this.paper.getBoundingClientRect();
    return [((event.clientX - area.left) / area.width) * this.size[0], ((event.clientY - area.top) / area.height) * this.size[1]];
  }

  down(event) {
    if (!this.active || event.button !== 0) return;
    event.preventDefault();
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    this.from = this.point(event);
  }

  move(event) {
    if (this.from) this.set([...this.from, ...this.point(event)]);
  }

  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!this.active || !(event.key in steps)) return;
    event.preventDefault();
    const [w, h] = this.size, step = Math.max(1, Math.round(Math.min(w, h) / 100));
    const [dx, dy] = steps[event.key].map((way) => way * step);
    const [x1, y1, x2, y2] = this.value || [w / 4, h / 4, (3 * w) / 4, (3 * h) / 4];
    if (event.shiftKey) {
      this.set([x1, y1, Math.max(x1 + 1, x2 + dx), Math.max(y1 + 1, y2 + dy)]);
    } else {
      const mx = Math.max(-x1, Math.min(dx, w - x2)), my = Math.max(-y1, Math.min(dy, h - y2));
      this.set([x1 + mx, y1 + my, x2 + mx, y2 + my]);
    }
  }

  typed() {
    const numbers = this.inputs.map((input) => (input.value === "" ? NaN : Number(input.value)));
    if (numbers.some(Number.isNaN)) return;
    const [x1, y1, x2, y2] = numbers;
    this.value = x1 < x2 && y1 < y2 ? numbers : null;
    this.show();
  }
}
