// Trainer: the page's side of the worker, which runs the same text as the page.

class Trainer {
  /** @param hear functions by the kinds of the worker's messages */
  constructor(text, hear) {
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    this.worker = new Worker(address);
    this.worker.onmessage = ({ data }) => this.take(data, hear);
    this.worker.onerror = (event) => hear.refused({ text: event.message });
    this.waiting = new Map();
    this.number = 0;
    this.begun = 0;
  }

  /** Hand a message on; what belongs to an earlier training comes too late, and is dropped. */
  take(message, hear) {
    if (message.kind === "begun") this.begun = message.number;
    const late = this.begun !== this.current && (message.kind === "frame" || message.kind === "begun");
    if (!late) hear[message.kind](message);
    if (message.kind === "answer") {
      this.waiting.get(message.number)?.(message);
      this.waiting.delete(message.number);
    }
  }

  begin(state, rows) {
    this.current = ++this.number;
    this.worker.postMessage({ kind: "begin", state, rows, number: this.current });
  }

  send(kind, more = {}) {
    this.worker.postMessage({ kind, ...more });
  }

  /** The network's answer to a row, when it comes. */
  answer(x) {
    const number = ++this.number;
    this.worker.postMessage({ kind: "answer", x, number });
    return new Promise((tell) => this.waiting.set(number, tell));
  }
}
