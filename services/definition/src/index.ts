export { definitionConfig } from "./config.ts";
export {
  createDefinitionService,
  type DefinitionServer,
  type DefinitionServiceOptions,
} from "./service.ts";
export { definitionMigrations } from "./store/migrations.ts";
