/** Wakes one waiting reader. Ringing while nobody waits is remembered, once. */
export interface Doorbell {
  ring(): void;
  wait(): Promise<void>;
}

export function createDoorbell(): Doorbell {
  let rung = false;
  let answer: (() => void) | undefined;
  return {
    ring() {
      if (answer === undefined) {
        rung = true;
        return;
      }
      const waiting = answer;
      answer = undefined;
      waiting();
    },
    wait() {
      if (rung) {
        rung = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  };
}
