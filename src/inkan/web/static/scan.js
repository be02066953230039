// A page with a code to scan: keeps the picture current and follows the session. Without it the page refreshes
// itself, only slower.
//
//   data-scan-states   where the states come from, an event stream; data-scan-state: the one this page was drawn for
//   data-scan-picture  on the img: where the picture of the present second is
//   data-scan-finish   on a form: everything is there, send it

const EVERY_MS = 1000;
const LOOK_AGAIN_MS = 5000;

/** @param {HTMLImageElement} code show the code of the present second */
function refresh(code) {
  code.src = `${code.dataset.scanPicture}?at=${Date.now()}`;
}

/**
 * Read the page again as soon as the session is in another state than the one that the page was drawn for,
 * even when it got there before this stream was open.
 *
 * @param {HTMLElement} place
 */
function follow(place) {
  const states = new EventSource(place.dataset.scanStates ?? "");
  states.addEventListener("state", (event) => {
    if (event.data !== place.dataset.scanState) {
      states.close();
      location.reload();
    }
  });
  // What a form brings is awaited: reading the page again meanwhile would lose it.
  document.addEventListener("submit", () => states.close());
  states.addEventListener("error", () => {
    // A lost stream is opened again by the browser; a refused one is not.
    if (states.readyState === EventSource.CLOSED) {
      setTimeout(() => location.reload(), LOOK_AGAIN_MS);
    }
  });
}

const code = document.querySelector("[data-scan-picture]");
if (code instanceof HTMLImageElement) {
  setInterval(refresh, EVERY_MS, code);
}
const place = document.querySelector("[data-scan-states]");
if (place instanceof HTMLElement) {
  follow(place);
}
const finish = document.querySelector("[data-scan-finish]");
if (finish instanceof HTMLFormElement) {
  finish.requestSubmit();
}
