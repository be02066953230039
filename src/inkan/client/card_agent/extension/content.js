// In the page: a script of the page greets with a port, and everything it says on that port goes to the background.

const GREETING = "inkan-card-agent";

/**
 * @param {MessagePort} page
 * @param {string} kind
 */
function join(page, kind) {
  const agent = chrome.runtime.connect({ name: kind });
  agent.onMessage.addListener((message) => page.postMessage(message));
  agent.onDisconnect.addListener(() => page.postMessage({ gone: "card_agent_missing" }));
  page.onmessage = ({ data }) => {
    if (data && data.close) {
      agent.disconnect();
    } else {
      agent.postMessage(data);
    }
  };
  page.postMessage({ present: true });
}

window.addEventListener("message", (event) => {
  const kind = event.data && event.data[GREETING];
  if (event.source === window && typeof kind === "string" && event.ports.length === 1) {
    join(event.ports[0], kind);
  }
});
