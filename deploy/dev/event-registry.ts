import { createRegistry } from "@bufbuild/protobuf";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { StateMachineEventSchema } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";

/** What an event log needs to write events as JSON. */
export const eventRegistry = createRegistry(DefinitionEventSchema, ExecutionEventSchema, StateMachineEventSchema);
