// The doorbell rings with a topic; the parts of the page that it concerns are fetched again, at most once a second each.
const THROTTLE = 1000;
const mark = document.getElementById("live");
const timers = new Map();
let source = null;

function show(state, word) {
  mark.dataset.state = state;
  mark.querySelector(".word").textContent = word;
}

function isBusy(part) {
  if (part.querySelector(":popover-open")) return true;
  return part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
}

async function refresh(part) {
  timers.delete(part);
  if (!part.isConnected) return;
  if (isBusy(part) || (part.dataset.hold !== undefined && part.matches(":hover"))) return later(part);
  const answer = await fetch(part.dataset.part, { headers: { "X-Part": "1" } }).catch(() => null);
  if (answer && answer.status === 401) location.reload();
  if (!answer || !answer.ok) return;
  const mark = answer.headers.get("X-Mark");
  if (mark && mark === part.dataset.mark) return;
  const text = await answer.text();
  if (isBusy(part)) return;
  const open = [...part.querySelectorAll("details[open][id]")].map((details) => details.id);
  part.dataset.mark = mark;
  part.innerHTML = text;
  for (const id of open) part.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  if (window.htmx) window.htmx.process(part);
}

function later(part) {
  if (!timers.has(part)) timers.set(part, setTimeout(() => refresh(part), THROTTLE));
}

function ring({ topic, id }) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const topics = part.dataset.topics.split(" ");
    if (topic === "*" || topics.includes(topic) || topics.includes(`${topic}:${id}`)) later(part);
  }
}

function connect() {
  source = new EventSource("/events/stream");
  source.onopen = () => { show("live", "live"); ring({ topic: "*" }); };
  source.onmessage = (message) => ring(JSON.parse(message.data));
  source.onerror = () => {
    show("reconnecting", "reconnecting");
    if (source && source.readyState === EventSource.CLOSED) { source = null; setTimeout(follow, 3000); }
  };
}

function follow() {
  if (document.hidden) {
    source?.close();
    source = null;
    show("paused", "paused");
  } else if (!source) connect();
}

document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted) { source = null; follow(); } });
follow();
