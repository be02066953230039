// Between a page and the program beside the browser. The origin is what the browser says of the page: a page cannot
// name one, since its request travels inside the message and never beside the origin.

const HOSTS = { use: "org.inkan.card.use", manage: "org.inkan.card.manage" };

chrome.runtime.onConnect.addListener((page) => {
  const host = HOSTS[page.name];
  const { url, frameId, origin = new URL(url).origin } = page.sender;
  // Only the page that the person sees in the address bar, not a frame in it.
  if (!host || frameId !== 0) {
    page.disconnect();
    return;
  }
  // One program for each page: it ends with the page, and whatever the card was doing with it.
  const program = chrome.runtime.connectNative(host);
  page.onMessage.addListener((request) => program.postMessage({ origin, request }));
  page.onDisconnect.addListener(() => program.disconnect());
  program.onMessage.addListener((message) => page.postMessage(message));
  program.onDisconnect.addListener(() => {
    void chrome.runtime.lastError;
    page.disconnect();
  });
});
