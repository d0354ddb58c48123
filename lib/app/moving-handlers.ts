/** Moving in and out: histories into files, accounts out of them, and what there is of all. */
import type { Handler } from './handling.ts';
import { exportHistory } from './moving-export.ts';
import { importAccounts } from './moving-import.ts';
import { stats } from './moving-stats.ts';

export const MOVING_HANDLERS: Readonly<Record<string, Handler>> = {
  export: exportHistory,
  import: importAccounts,
  stats,
};
