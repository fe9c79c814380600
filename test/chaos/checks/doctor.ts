import type { Check } from "./check.ts";

export const doctorClean: Check = {
  id: "doctor-clean",
  promise: "doctor",
  claim: "checks of `heddle doctor` find nothing",
  run({ doctor }, look) {
    for (const { id, findings } of doctor) {
      if (findings.length === 0) look(undefined);
      for (const finding of findings) look(`${id}: ${finding}`);
    }
  },
};
