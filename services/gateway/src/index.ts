export { gatewayConfig } from "./config.ts";
export { createGatewayService, type Gateway, type GatewayServiceOptions } from "./service.ts";
