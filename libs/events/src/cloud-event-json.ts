import { fromBinary, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { type EventMessage, findSourcePosition, type SourcePosition } from "./event-message.ts";

/** CloudEvents 1.0, JSON format. Extension attributes have lower-case letters and digits only, says the standard. */
export interface CloudEventJson {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  subject: string;
  time?: string;
  traceparent?: string;
  heddlepartition?: number;
  heddleoffset?: number;
  heddleindex?: number;
  datacontenttype?: "application/json";
  /** The event in protobuf's JSON form. */
  data?: JsonValue;
  /** Instead of `data` when the registry does not know the type: the bytes. */
  data_base64?: string;
}

/** The event as a CloudEvent whose data people can read. Never fails: bytes that do not decode are kept as they are. */
export function toCloudEventJson(message: EventMessage, registry: Registry): CloudEventJson {
  const { headers } = message;
  const position = findSourcePosition(message);
  return {
    specversion: "1.0",
    id: headers.ce_id,
    source: headers.ce_source,
    type: headers.ce_type,
    subject: headers.ce_subject,
    ...(headers.ce_time !== undefined && { time: headers.ce_time }),
    ...(headers.traceparent !== undefined && { traceparent: headers.traceparent }),
    ...(position && {
      heddlepartition: position.partition,
      heddleoffset: position.offset,
      heddleindex: position.index,
    }),
    ...decode(message, registry),
  };
}

function decode(
  message: EventMessage,
  registry: Registry,
): Pick<CloudEventJson, "datacontenttype" | "data" | "data_base64"> {
  const schema = registry.getMessage(message.topic);
  if (schema !== undefined) {
    try {
      return {
        datacontenttype: "application/json",
        data: toJson(schema, fromBinary(schema, message.value), { registry }),
      };
    } catch {
      // A log that stopped at bytes which it cannot read would lose all that follow.
    }
  }
  return { data_base64: Buffer.from(message.value).toString("base64") };
}

/** The position of an event that was written by `toCloudEventJson`; undefined when it had none. */
export function findCloudEventPosition(event: Partial<CloudEventJson>): SourcePosition | undefined {
  const { heddlepartition: partition, heddleoffset: offset, heddleindex: index } = event;
  if (partition === undefined || offset === undefined || index === undefined) return undefined;
  return { partition, offset, index };
}
