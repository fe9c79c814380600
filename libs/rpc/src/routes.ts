import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  createMethodImplSpec,
  createServiceImplSpec,
  type ConnectRouter,
  type MethodImplSpec,
  type ServiceImpl,
} from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { RpcReason } from "./reasons.ts";

/** Registers services: `routes: (router) => { router.service(ExecutionService, impl); }` */
export type Routes = (router: ConnectRouter) => unknown;

/** What a set of routes offers. */
export interface RouteTable {
  services: DescService[];
  /** By request path, e.g. `/heddle.execution.v1.ExecutionService/GetExecution`. */
  methods: Map<string, MethodImplSpec>;
}

/** Reads routes without serving them. Methods that an implementation leaves out answer UNIMPLEMENTED with a reason. */
export function readRoutes(...routes: Routes[]): RouteTable {
  const table: RouteTable = { services: [], methods: new Map() };
  const router: ConnectRouter = {
    handlers: [],
    service(service, implementation) {
      table.services.push(service);
      const spec = createServiceImplSpec(service, withUnimplemented(service, implementation));
      for (const method of Object.values(spec.methods)) table.methods.set(pathOf(method.method), method);
      return router;
    },
    rpc(method, implementation) {
      if (!table.services.includes(method.parent)) table.services.push(method.parent);
      table.methods.set(pathOf(method), createMethodImplSpec(method, implementation));
      return router;
    },
  };
  for (const route of routes) route(router);
  return table;
}

/** The path under which HTTP carries a method. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function withUnimplemented<S extends DescService>(
  service: S,
  implementation: Partial<ServiceImpl<S>>,
): Partial<ServiceImpl<S>> {
  const complete: Record<string, unknown> = {};
  for (const method of service.methods) {
    const own = (implementation as Record<string, unknown>)[method.localName];
    complete[method.localName] =
      typeof own === "function"
        ? own.bind(implementation)
        : () => {
            throw methodNotImplemented(method);
          };
  }
  return complete as Partial<ServiceImpl<S>>;
}

function methodNotImplemented(method: DescMethod): DomainError {
  return new DomainError({
    kind: "unimplemented",
    reason: RpcReason.methodNotImplemented,
    message: `${method.parent.typeName}/${method.name} is part of the contract, but this version of the server does not offer it yet`,
    metadata: { service: method.parent.typeName, method: method.name },
  });
}
