import { openTableStore, type TableStore } from '../sinks/index.ts';
import type { CommandContext } from './io.ts';

/** Opens where a table is, by default the training table; what its store must wait for is logged. */
export function openTable(
  { config, telemetry, signal }: Pick<CommandContext, 'config' | 'telemetry' | 'signal'>,
  access: 'read' | 'write',
  location: string = config.table,
): Promise<TableStore> {
  return openTableStore(location, {
    s3: config.s3,
    access,
    signal,
    onRetry: ({ operation, reason, waitMs }) => {
      telemetry.retried('table_store', operation, reason);
      telemetry.log.warn(`the table's store did not do a ${operation}; trying again`, { reason, milliseconds: waitMs });
    },
  });
}
