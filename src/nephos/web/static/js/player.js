// A click on a link with data-seek jumps to that second of the recording.
const video = document.querySelector(".player video");

document.addEventListener("click", (event) => {
  const spot = event.target.closest("[data-seek]");
  if (!spot || !video) return;
  event.preventDefault();
  video.currentTime = Number(spot.dataset.seek);
  video.focus();
});
