// @ts-check
/**
 * A file that is dropped anywhere on the page goes into the page's file field, as if it had been chosen there.
 *
 *   <form data-drop="send">  sends itself then;  <form data-drop="hash">  leaves the file to another script
 *     <div data-drop-zone> <input type="file"> <p data-drop-word hidden>
 */

/** @param {DragEvent} event */
function carriesFile(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** @param {HTMLFormElement} form */
function attach(form) {
  const zone = form.querySelector("[data-drop-zone]");
  const field = form.querySelector("input[type=file]");
  if (!(zone instanceof HTMLElement) || !(field instanceof HTMLInputElement)) {
    return;
  }
  zone.querySelector("[data-drop-word]")?.removeAttribute("hidden");
  let depth = 0;
  const mark = () => zone.classList.toggle("is-over", depth > 0);
  document.addEventListener("dragenter", (event) => {
    depth += carriesFile(event) ? 1 : 0;
    mark();
  });
  document.addEventListener("dragleave", (event) => {
    depth -= carriesFile(event) ? 1 : 0;
    mark();
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFile(event)) {
      event.preventDefault();
    }
  });
  document.addEventListener("drop", (event) => {
    depth = 0;
    mark();
    const files = event.dataTransfer?.files;
    if (!files?.length) {
      return;
    }
    event.preventDefault();
    field.files = files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    if (form.dataset.drop === "send") {
      form.requestSubmit();
    }
  });
}

for (const form of document.querySelectorAll("form[data-drop]")) {
  if (form instanceof HTMLFormElement) {
    attach(form);
  }
}
