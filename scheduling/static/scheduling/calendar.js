// Moving what stands on the calendar, by pointer and by keyboard. Where it may stand the server decides: until it has said yes
// the block is only shown there, and when it says no it goes back. Times are the clocks' on the wall; nothing here reckons zones.

import { announce, texts } from "../portal/portal.js";

const STEP = 5; // minutes of a row
const FAR = 5; // pixels from which on a press is a drag
const root = document.getElementById("calendar");
const panel = document.getElementById("calendar-panel");
const words = texts();

const grid = () => root.querySelector("[data-grid]");
const columns = () => [...root.querySelectorAll("[data-column]")];
const rowHeight = () => parseFloat(getComputedStyle(columns()[0]).gridAutoRows);
const two = (number) => String(number).padStart(2, "0");
const clock = (row) => {
  const minute = Number(grid().dataset.first) + row * STEP;
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
};

/** One block on its way: where it came from, where it is shown now. */
class Journey {
  constructor(block) {
    this.block = block;
    this.column = this.from = block.closest("[data-column]");
    this.row = this.start = Number(block.dataset.row);
    this.snap = Math.max(1, Number(block.dataset.snap) / STEP);
    this.classes = block.className;
    this.after = block.nextSibling;
    this.rows = Number(/\bn(\d+)\b/.exec(block.className)[1]);
    block.className = block.className.replace(/\bc\d+\b/, "c0").replace(/\bw\d+\b/, "w12");
    block.classList.add("moving");
  }

  get moved() {
    return this.row !== this.start || this.column !== this.from;
  }

  to(column, row) {
    const last = Number(grid().dataset.rows) - this.rows;
    const next = Math.min(Math.max(row, 0), Math.max(last, 0));
    this.block.classList.replace(`r${this.row}`, `r${next}`);
    this.row = next;
    if (column && column !== this.column) {
      column.append(this.block);
      this.column = column;
    }
  }

  /** By whole steps of the kind of visit, reckoned from midnight. */
  snapped(row) {
    const first = Number(grid().dataset.first) / STEP;
    return Math.round((row + first) / this.snap) * this.snap - first;
  }

  say() {
    announce(`${this.column.closest("[data-name]").dataset.name}, ${clock(this.row)}`);
  }

  back(said) {
    if (this.block.isConnected) {
      this.block.className = this.classes;
      this.from.insertBefore(this.block, this.after);
    }
    if (said) announce(said);
  }

  async drop() {
    if (!this.moved) return this.back();
    const form = document.getElementById("calendar-move");
    form.elements.local.value = `${this.column.closest("[data-day]").dataset.day}T${clock(this.row)}`;
    form.elements.version.value = this.block.dataset.version;
    this.block.setAttribute("aria-busy", "true");
    await window.htmx.ajax("POST", this.block.dataset.move, { source: form, target: root, swap: "innerHTML" });
    if (!this.block.isConnected) return undefined; // the grid was drawn anew: it is done
    this.block.removeAttribute("aria-busy");
    this.back(words.back);
    return this.block.focus();
  }
}

let journey = null; // by keyboard
let drag = null; // by pointer: { block, x, y, grip, journey }
let dropped = false; // the click that ends a drag opens nothing

// Keyboard -----------------------------------------------------------------------------------------------------------------
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

root?.addEventListener("keydown", (event) => {
  const block = event.target.closest("[data-visit-block]");
  if (!block || drag) return;
  if (journey && event.key === "Escape") {
    event.preventDefault();
    leave(words.left);
    block.focus();
  } else if (journey && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    const done = journey;
    journey = null;
    done.drop();
  } else if (ARROWS[event.key] && block.dataset.move) {
    event.preventDefault();
    step(block, ...ARROWS[event.key]);
  }
});

function step(block, across, down) {
  const fresh = !journey;
  journey ??= new Journey(block);
  const all = columns();
  const column = all[all.indexOf(journey.column) + across] ?? journey.column;
  journey.to(column, journey.row + down * journey.snap);
  block.focus();
  block.scrollIntoView({ block: "nearest" });
  if (fresh) announce(`${words.moving} ${clock(journey.row)}`);
  else journey.say();
}

function leave(said) {
  journey?.back(said);
  journey = null;
}

root?.addEventListener("focusout", (event) => {
  // A block that is put into another column loses the focus for a moment and gets it back.
  setTimeout(() => journey && document.activeElement !== journey.block && event.target === journey.block && leave(words.left), 0);
});

// Pointer ------------------------------------------------------------------------------------------------------------------
root?.addEventListener("pointerdown", (event) => {
  const block = event.target.closest("[data-visit-block][data-move]");
  dropped = false;
  if (!block || event.button !== 0 || event.pointerType === "touch") return; // a finger scrolls; the details have a form
  leave();
  drag = { block, x: event.clientX, y: event.clientY, grip: event.clientY - block.getBoundingClientRect().top, journey: null };
});

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  if (!drag.journey) {
    if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return;
    drag.journey = new Journey(drag.block);
  }
  event.preventDefault();
  const under = columns().find((each) => {
    const { left, right } = each.getBoundingClientRect();
    return event.clientX >= left && event.clientX < right;
  });
  const column = under ?? drag.journey.column;
  const row = (event.clientY - drag.grip - column.getBoundingClientRect().top) / rowHeight();
  drag.journey.to(column, drag.journey.snapped(row));
});

document.addEventListener("pointerup", () => {
  const done = drag?.journey;
  drag = null;
  if (!done) return;
  dropped = true;
  done.say();
  done.drop();
});
for (const ending of ["pointercancel", "blur"]) window.addEventListener(ending, () => cancelDrag());
document.addEventListener("keydown", (event) => event.key === "Escape" && cancelDrag(words.left));

function cancelDrag(said) {
  if (drag?.journey) {
    drag.journey.back(said);
    dropped = true;
  }
  drag = null;
}

// Pressing -----------------------------------------------------------------------------------------------------------------
root?.addEventListener("click", (event) => {
  if (dropped) {
    dropped = false;
    return;
  }
  const block = event.target.closest("[data-visit-block]");
  if (block) {
    if (!journey) window.htmx.trigger(block, "open");
    return;
  }
  const column = event.target.closest("[data-column]");
  const book = grid().dataset.book;
  if (!column || !book) return;
  const row = Math.floor((event.clientY - column.getBoundingClientRect().top) / rowHeight() / 2) * 2; // tens of minutes
  const local = `${column.closest("[data-day]").dataset.day}T${clock(row)}`;
  window.htmx.ajax("GET", `${book}?local=${encodeURIComponent(local)}`, { target: panel, swap: "innerHTML" });
});

let opener = null; // to whom the focus goes when the panel is closed
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.target === panel && !panel.contains(document.activeElement)) opener = document.activeElement?.id;
});
panel?.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) closePanel();
});
panel?.addEventListener("keydown", (event) => event.key === "Escape" && closePanel());

function closePanel() {
  panel.replaceChildren();
  (document.getElementById(opener) ?? root.querySelector("a, button"))?.focus();
}

// What was moved is shown elsewhere: its details would tell the old time.
root?.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.requestConfig?.verb === "post") panel.replaceChildren();
});

// The line of the present time goes on.
setInterval(() => {
  const line = root?.querySelector("[data-now]");
  if (!line) return;
  line.dataset.since ??= String(Date.now());
  line.dataset.row ??= /\br(\d+)\b/.exec(line.className)[1];
  const row = Number(line.dataset.row) + Math.floor((Date.now() - Number(line.dataset.since)) / (STEP * 60_000));
  line.className = `now r${Math.min(row, Number(grid().dataset.rows) - 1)} n1`;
}, 30_000);
