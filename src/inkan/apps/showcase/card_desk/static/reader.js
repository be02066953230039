// @ts-check
// Loads the page anew when another card is in the reader, or when the card program asks something else.

const LOOK_MS = 500;
const heading = document.querySelector("[data-reader-state]");

async function look() {
  const before = heading?.getAttribute("data-reader-state");
  try {
    const reply = await fetch("/reader/state", { credentials: "same-origin", cache: "no-store" });
    const { state } = await reply.json();
    if (state !== before) {
      location.replace("/reader");
      return;
    }
  } catch {
    // The desk is closing, or the device sleeps; the next look tells.
  }
  setTimeout(look, LOOK_MS);
}

setTimeout(look, LOOK_MS);
