// Tells the station the viewer's time zone, changes between light and dark, and keeps "5m ago" true.
const YEAR = 31536000;

function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; samesite=lax`;
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`nephos_zone=${zone}`)) remember("nephos_zone", zone);

const button = document.getElementById("theme");
const dark = matchMedia("(prefers-color-scheme: dark)");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    remember("nephos_theme", next);
  });
}

function span(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const parts = [];
  let left = Math.round(seconds);
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}

setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-since]")) {
    const apart = (Date.parse(element.dataset.since) - Date.now()) / 1000;
    element.textContent = Math.abs(apart) < 5 ? "now" : apart > 0 ? `in ${span(apart)}` : `${span(-apart)} ago`;
  }
}, 1000);
