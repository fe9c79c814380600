/** Labels of the executions that schedules and triggers start: `heddle list --label heddle.schedule=…` finds them. */
export const SCHEDULE_LABEL = "heddle.schedule";
export const DUE_AT_LABEL = "heddle.due_at";
export const TRIGGER_LABEL = "heddle.trigger";
/** The execution whose end made the trigger fire. */
export const TRIGGERED_BY_LABEL = "heddle.triggered_by";
/** Starts by triggers that led here, this one included. */
export const TRIGGER_DEPTH_LABEL = "heddle.trigger_depth";

const VALUE_MAX_LENGTH = 255;

export function labelValue(text: string): string {
  return text.slice(0, VALUE_MAX_LENGTH);
}
