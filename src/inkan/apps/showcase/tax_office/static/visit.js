// Keeps the code current and follows the session; the page works without it, only slower.

const EVERY_MS = 1000;
const LOOK_AGAIN_MS = 5000;

/** Replace the picture by the one of the present second. */
function refresh() {
  const code = document.getElementById("code");
  if (code instanceof HTMLImageElement) {
    code.src = `/visit/code?at=${Date.now()}`;
  }
}

/**
 * Read the page again as soon as the session is in another state than the one that the page was drawn for,
 * even when it got there before this stream was open.
 */
function follow() {
  const drawnFor = document.getElementById("visit")?.dataset.state;
  const states = new EventSource("/visit/states");
  states.addEventListener("state", (event) => {
    if (event.data !== drawnFor) {
      states.close();
      location.reload();
    }
  });
  states.addEventListener("error", () => {
    // A lost stream is opened again by the browser; a refused one is not.
    if (states.readyState === EventSource.CLOSED) {
      setTimeout(() => location.reload(), LOOK_AGAIN_MS);
    }
  });
}

setInterval(refresh, EVERY_MS);
follow();
