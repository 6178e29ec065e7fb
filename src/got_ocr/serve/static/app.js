// The page: one document at a time, shown, read and taken away. All text from the service is set as text, never as markup.

import * as api from "./api.js";
import { Box } from "./box.js";

const at = (id) => document.getElementById(id);
const POLL = 700;
const ZOOM = 1.25;
const HELP = {
  pdf_encrypted: "This PDF needs its password: type it in and try again.",
  unsupported_image_format: "This kind of file is not read here. Try PNG, JPEG, WebP, TIFF or PDF.",
  not_ready: "The model is still being loaded.",
  overloaded: "The service has more to read than it can take right now.",
  rate_limited: "You have several readings under way already.",
};
const CUT = {
  length: "The page was longer than the limit of tokens; its end is missing. Reading it in tiles helps.",
  repetition: "The model began to repeat itself and was stopped. Check the end of the text.",
  deadline: "The time for this reading was over; its end is missing.",
  shutdown: "The service was shut down while reading; the end is missing.",
  cancelled: "You stopped this reading; its end is missing.",
  broken_off: "This reading broke off; its end is missing.",
};
const NOTED = {
  untrained_mode: "This model was not trained to read this way: compare with the whole page.",
  lines_left_out: "The page has more lines than are read; the last ones are missing.",
  frames_ignored: "Only the first picture of this animation was read.",
  broken_characters: "Some characters could not be written; they stand as �.",
};
// Another attempt at these would end the same way.
const FINAL = /^(image_|unsupported_|too_many_|body_too_large|no_box|pdf_corrupt|invalid_)/;

const state = { file: null, pages: 1, page: 1, zoom: 1, results: new Map(), stop: null, job: null, url: null, turn: 0 };
const box = new Box(at("stage"), at("paper"), at("box"), ["x1", "y1", "x2", "y2"].map(at));

const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;
const say = (text) => { at("status").textContent = text; };

function fail(error) {
  if (error.name === "AbortError") return say("Stopped.");
  const help = HELP[error.code];
  const wait = error.wait ? ` Try again in ${error.wait} s.` : "";
  at("error-text").textContent = (help || sentence(error.message || "something went wrong")) + wait;
  at("error").hidden = false;
  at("again").hidden = !state.file || FINAL.test(error.code);
  at("password-field").hidden = error.code !== "pdf_encrypted" && at("password-field").hidden;
  if (error.code === "pdf_encrypted") at("password").focus();
  say("");
}

function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

function clearError() {
  at("error").hidden = true;
}

async function open(file) {
  if (!file || state.stop) return;
  clearError();
  Object.assign(state, { file, pages: 1, page: 1, zoom: 1 });
  state.results.clear();
  at("password").value = "";
  for (const id of ["password-field", "range-field", "pages"]) at(id).hidden = true;
  at("range").value = "";
  at("name").textContent = file.name || "pasted picture";
  at("read").disabled = true;
  at("paper").hidden = true; // or the picture before it would stand under this one's name
  box.set(null);
  showResult();
  await load(1);
}

async function load(page) {
  const turn = ++state.turn;
  say(`Opening ${state.pages > 1 ? "page " + page : "the file"} …`);
  try {
    const seen = await api.preview(state.file, page, at("password").value);
    if (turn !== state.turn) return URL.revokeObjectURL(seen.url);
    if (state.url) URL.revokeObjectURL(state.url);
    Object.assign(state, { url: seen.url, pages: seen.pages, page });
    at("picture").src = seen.url;
    at("picture").alt = `Page ${page} of ${seen.pages}, ${seen.width} by ${seen.height} pixels`;
    box.reset(seen.width, seen.height);
    clearError();
    const chosen = at("drop").contains(document.activeElement);
    at("drop").hidden = true;
    at("viewer").hidden = at("paper").hidden = false;
    at("read").disabled = Boolean(state.stop);
    if (chosen) at("read").focus();
    at("password-field").hidden = true;
    zoom(state.zoom);
    showPages();
    showResult();
    say(seen.pages > 1 ? `${seen.pages} pages. Choose a range, or read all.` : "Ready to read.");
  } catch (error) {
    if (turn === state.turn) fail(error);
  }
}

function zoom(factor) {
  state.zoom = Math.max(1, Math.min(8, factor));
  at("paper").style.width = 100 * state.zoom + "%";
}

function showPages() {
  at("pages").hidden = state.pages < 2;
  at("range-field").hidden = state.pages < 2;
  at("previous").disabled = state.page <= 1;
  at("next").disabled = state.page >= state.pages;
  const list = at("page-list");
  if (list.children.length !== state.pages) {
    list.replaceChildren(...Array.from({ length: state.pages }, (_, index) => pageButton(index + 1)));
  }
  for (const button of list.querySelectorAll("button")) markPage(button);
}

function pageButton(number) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.textContent = number;
  button.dataset.page = number;
  button.addEventListener("click", () => load(number));
  item.append(button);
  return item;
}

function markPage(button) {
  const number = Number(button.dataset.page), found = state.results.get(number);
  const kind = !found ? "" : found.error ? "failed" : found.truncated ? "cut" : "done";
  button.className = kind;
  button.setAttribute("aria-label", `Page ${number}` + (kind ? { failed: ", failed", cut: ", cut short", done: ", read" }[kind] : ""));
  if (number === state.page) {
    button.setAttribute("aria-current", "page");
    button.scrollIntoView({ block: "nearest", inline: "nearest" });
  } else {
    button.removeAttribute("aria-current");
  }
}

// The text shown is that of the page shown; what is copied and downloaded is that of all pages.
function showResult() {
  const found = state.results.get(state.page);
  at("result-name").textContent = state.pages > 1 ? `Text of page ${state.page}` : "Text";
  at("text").textContent = found ? found.text : "";
  const notice = found ? noticed(found) : "";
  at("notice").textContent = notice;
  at("notice").hidden = !notice;
  const some = [...state.results.values()].some((result) => result.text);
  at("copy").disabled = at("form-of").disabled = !some;
  if (at("drawn").hidden === false) draw();
}

function noticed(found) {
  if (found.error) return `This page failed. ${sentence(found.error.message)}`;
  if (found.empty) return "Nothing to read was found.";
  return [CUT[found.stop_detail], ...found.notices.map((notice) => NOTED[notice.split(":")[0]])].filter(Boolean).join(" ");
}

function whole() {
  return [...state.results.keys()].sort((a, b) => a - b).map((page) => state.results.get(page).text).join("\n\n");
}

function draw() {
  const form = at("render-form");
  form.elements.text.value = at("text").textContent;
  form.submit();
}

function view(drawn) {
  at("text").hidden = drawn;
  at("drawn").hidden = !drawn;
  at("show-text").setAttribute("aria-pressed", String(!drawn));
  at("show-drawn").setAttribute("aria-pressed", String(drawn));
  if (drawn) draw();
}

function fields() {
  const area = chosen("area");
  if (area === "box" && !box.value) throw new api.ApiError("no_box", "Draw a box on the picture first, or type its corners.", 0);
  return {
    mode: chosen("mode"),
    box: area === "box" ? box.value.join(",") : null,
    color: area === "color" ? at("color").value : null,
    crop: area === "crop" ? "true" : null,
    password: at("password").value,
  };
}

async function start() {
  if (state.stop || !state.file) return;
  clearError();
  let asked;
  try {
    asked = fields();
  } catch (error) {
    return fail(error);
  }
  state.stop = new AbortController();
  busy(true);
  const began = performance.now();
  try {
    if (state.pages > 1 && !asked.box) await readDocument(asked);
    else await readPage(asked);
    say(`Done in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  } catch (error) {
    fail(error);
  } finally {
    state.stop = state.job = null;
    busy(false);
    showPages();
    showResult();
  }
}

function busy(on) {
  const [from, to] = on ? ["read", "stop"] : ["stop", "read"]; // who pressed one finds the other under the same finger
  const follow = document.activeElement === at(from);
  at("read").disabled = on || !state.file;
  at("stop").hidden = !on;
  if (follow) at(to).focus();
  at("other").disabled = on;
  if (!on) at("progress").hidden = true;
}

async function readPage(asked) {
  const page = state.page, pages = state.pages > 1 ? String(page) : null;
  view(false);
  state.results.delete(page);
  showResult();
  say("Waiting for the model …");
  let written = "";
  try {
    await api.read(state.file, { ...asked, pages }, (name, data) => {
      if (name === "begun") say("Reading …");
      if (name === "piece") written += data.text;
      if (name === "piece" && state.page === page) append(data.text);
      if (name === "reading") state.results.set(page, data);
    }, state.stop.signal);
  } catch (error) {
    const stop_detail = error.name === "AbortError" ? "cancelled" : "broken_off";
    if (written && !state.results.has(page)) state.results.set(page, { page, text: written, truncated: true, stop_detail, notices: [] });
    throw error;
  }
}

function append(piece) {
  const text = at("text"), low = text.scrollHeight - text.scrollTop - text.clientHeight < 40;
  text.append(piece);
  if (low) text.scrollTop = text.scrollHeight;
}

async function readDocument(asked) {
  state.results.clear();
  const made = await api.createJob(state.file, { ...asked, pages: at("range").value.trim() });
  state.job = made.id;
  const bar = at("progress");
  bar.hidden = false;
  for (;;) {
    const told = await api.job(made.id);
    if (told.pages_done !== state.results.size || told.status === "done") await take(made.id);
    bar.max = told.pages_total || 1;
    bar.value = told.pages_done;
    const failed = told.pages_failed ? `, ${told.pages_failed} failed` : "";
    say(told.pages_total ? `${told.pages_done} of ${told.pages_total} pages read${failed}.` : "Waiting for the model …");
    if (told.status === "done") return api.forgetJob(made.id);
    if (told.status === "failed") throw new api.ApiError(told.error.code, told.error.message, 0);
    if (told.status === "cancelled") throw new DOMException("stopped", "AbortError");
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

async function take(id) {
  const { readings } = await api.jobResult(id);
  for (const reading of readings) state.results.set(reading.page, reading);
  showPages();
  showResult();
}

async function stop() {
  if (!state.stop) return;
  say("Stopping …");
  try {
    if (state.job) await api.cancelJob(state.job);
    else state.stop.abort();
  } catch (error) {
    fail(error);
  }
}

async function copy() {
  try {
    await navigator.clipboard.writeText(whole());
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(at("text"));
    say("Selected: press Ctrl+C to copy.");
  }
}

async function download() {
  const form = at("form-of").value, text = whole();
  at("form-of").value = "";
  if (!form) return;
  try {
    const data = form === "txt" ? text : form === "json" ? JSON.stringify([...state.results.values()], null, 1) : await api.render(text, form === "md" ? "gfm" : "html");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([data], { type: "application/octet-stream" }));
    link.download = (state.file.name || "reading").replace(/\.[^.]*$/, "") + "." + form;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    say("Downloaded.");
  } catch (error) {
    fail(error);
  }
}

function area() {
  const value = chosen("area");
  at("box-fields").hidden = value !== "box";
  at("color-field").hidden = value !== "color";
  at("input").classList.toggle("drawing", value === "box");
  box.enable(value === "box");
}

function listen() {
  for (const id of ["file", "camera"]) {
    at(id).addEventListener("change", (event) => { open(event.target.files[0]); event.target.value = ""; });
  }
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files][0];
    if (file) { event.preventDefault(); open(file); }
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      at("input").classList.toggle("over", kind === "dragover");
      if (kind === "drop") open(event.dataTransfer.files[0]);
    });
  }
  at("form").addEventListener("submit", (event) => { event.preventDefault(); start(); });
  at("form").addEventListener("change", area);
  const clicks = {
    again: () => (at("viewer").hidden ? load(1) : at("password").value ? load(state.page).then(start) : start()),
    stop, copy,
    clear: () => box.set(null),
    other: () => { at("viewer").hidden = true; at("drop").hidden = false; at("read").disabled = true; at("file").focus(); },
    previous: () => load(state.page - 1), next: () => load(state.page + 1),
    smaller: () => zoom(state.zoom / ZOOM), larger: () => zoom(state.zoom * ZOOM), fit: () => zoom(1),
    "show-text": () => view(false), "show-drawn": () => view(true),
  };
  for (const [id, action] of Object.entries(clicks)) at(id).addEventListener("click", action);
  at("form-of").addEventListener("change", download);
  at("password").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); at("again").click(); } });
}

async function greet() {
  try {
    at("model").textContent = "Model: " + (await api.model());
  } catch (error) {
    at("model").textContent = error.code === "not_ready" ? "The model is being loaded …" : error.message;
    setTimeout(greet, 2000);
  }
}

listen();
area();
greet();
