// Keeps the code current and follows the session; the page works without it, only slower.

const EVERY_MS = 1000;

/** Replace the picture by the one of the present second. */
function refresh() {
  const code = document.getElementById("code");
  if (code instanceof HTMLImageElement) {
    code.src = `/visit/code?at=${Date.now()}`;
  }
}

/** Read the page again as soon as the session's state changes from the one it was drawn for. */
function follow() {
  const states = new EventSource("/visit/states");
  /** @type {string | null} */
  let first = null;
  states.addEventListener("state", (event) => {
    first ??= event.data;
    if (event.data !== first) {
      states.close();
      location.reload();
    }
  });
}

setInterval(refresh, EVERY_MS);
follow();
