// What the page asks of the service, and the errors that come back. Knows no element of the page.

export class ApiError extends Error {
  constructor(code, message, wait) {
    super(message);
    this.code = code;
    this.wait = wait; // seconds until another attempt makes sense, 0 where it never does
  }
}

async function failure(answer) {
  const wait = Number(answer.headers.get("retry-after")) || 0;
  try {
    const { error } = await answer.json();
    return new ApiError(error.code, error.message, wait);
  } catch {
    return new ApiError("http_" + answer.status, "The service answered with status " + answer.status + ".", wait);
  }
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "The service cannot be reached. Is it running?", 3);
  }
  if (!answer.ok) throw await failure(answer);
  return answer;
}

function form(file, fields) {
  const data = new FormData();
  data.append("file", file);
  for (const [name, value] of Object.entries(fields)) if (value !== null && value !== "") data.append(name, value);
  return data;
}

export async function model() {
  const answer = await ask("/v1/models");
  return (await answer.json()).data[0].id;
}

export async function preview(file, page, password) {
  const answer = await ask("/v1/preview", { method: "POST", body: form(file, { page, password }) });
  const number = (name) => Number(answer.headers.get(name));
  const url = URL.createObjectURL(await answer.blob());
  return { url, width: number("x-width"), height: number("x-height"), pages: number("x-pages") };
}

// Read one picture; `tell(name, data)` hears of every event.
export async function read(file, fields, tell, signal) {
  const body = form(file, { ...fields, stream: "true" });
  const answer = await ask("/v1/ocr", { method: "POST", body, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", ended = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const [name, data] = parse(block);
      if (name === "error") throw new ApiError(data.error.code, data.error.message, 0);
      ended = ended || name === "end";
      if (name) tell(name, data);
    }
  }
  if (!ended) throw new ApiError("broken_off", "The service broke off before the end.", 1);
}

function parse(block) {
  let name = "", data = null;
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data = JSON.parse(line.slice(6));
  }
  return [name, data];
}

export async function createJob(file, fields) {
  return (await ask("/v1/jobs", { method: "POST", body: form(file, fields) })).json();
}

export async function job(id) {
  return (await ask("/v1/jobs/" + id)).json();
}

export async function jobResult(id) {
  return (await ask("/v1/jobs/" + id + "/result?partial=true")).json();
}

export async function cancelJob(id) {
  await ask("/v1/jobs/" + id + "/cancel", { method: "POST" });
}

export async function forgetJob(id) {
  await ask("/v1/jobs/" + id, { method: "DELETE" });
}

export async function render(text, to) {
  const headers = { "content-type": "application/json" };
  return (await ask("/v1/render", { method: "POST", headers, body: JSON.stringify({ text, to }) })).text();
}
