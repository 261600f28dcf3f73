// Keyboard: "/" searches, "g" and a letter goes to a page.
const PLACES = { n: "/", c: "/channels", s: "/schedules", r: "/recordings", y: "/system" };
let going = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea, video")) return;
  if (going && PLACES[event.key]) location.href = PLACES[event.key];
  going = event.key === "g";
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
  }
});
