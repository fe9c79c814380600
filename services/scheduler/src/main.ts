import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { openBus, runProcess } from "@heddle/service-process";
import { schedulerMigrations } from "../migrations/index.ts";
import { schedulerConfig } from "./config.ts";
import { createSchedulerService } from "./service.ts";

await runProcess({
  name: "scheduler",
  config: schedulerConfig,
  store: { schema: "scheduler", migrations: schedulerMigrations },
  async compose(context) {
    const { config, owner, address, database, connect, dial, logger, metrics } = context;
    const bus = await openBus("scheduler", context);
    return createSchedulerService({
      database,
      execution: connect(config.HEDDLE_EXECUTION_ADDRESS, [ExecutionService]),
      bus,
      owner,
      address,
      dial,
      logger,
      metrics,
    });
  },
});
