import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { valued } from '../options/fetch.ts'
import { parsePort } from '../options/port.ts'
import type { ServeFlags } from '../serve/run-serve.ts'
import type { Run } from './define.ts'

type WorkerFlags = Pick<ServeFlags, 'config' | 'data' | 'host' | 'port' | 'migrateStores' | 'backupMade' | 'once'>

export function define(command: Command, run: Run): void {
  command
    .addOption(new Option('--config <FILE>', 'settings of the librarian: arriero.yaml, or JSON'))
    .addOption(new Option('--data <DIR>', 'where arriero serve keeps everything (default: ./arriero-data)'))
    .addOption(new Option('--host <ADDRESS>', 'address for /metrics and /health (default: 127.0.0.1)'))
    .addOption(valued('--port <N>', 'port for them; 0: any free one (default: none)', parsePort))
    .addOption(new Option('--migrate-stores', 'take over what the settings say of stores that are known already'))
    .addOption(
      new Option('--backup-made', 'PostgreSQL: there is a backup, so that a new release may change the schema'),
    )
    .addOption(new Option('--once', 'run every recurring task once, then end'))
    .addHelpText(
      'after',
      `
Examples:
  arriero worker --config /etc/arriero/arriero.yaml
  arriero worker --config arriero.yaml --port 9180
  arriero worker --config arriero.yaml --once

More hands for a librarian: recurring tasks, ingest jobs and other background
work. Start as many as you like, on any machine that sees the stores, with the
settings of the server; they share the work. That needs a catalogue in
PostgreSQL: one in a file belongs to one process.

It answers no calls. With --port, or worker_port in the settings, Prometheus
reads it at /metrics, and whoever looks after it asks /health.

Ctrl-C or SIGTERM stops it; what it has begun goes to the others. With --once
the exit code is 1 when a task failed, or is off because the settings name what
is not there; with --json a line for each task.`,
    )
    .action(run(worker))
}

async function worker(_operands: string[], flags: WorkerFlags, context: Context): Promise<number> {
  const { runServe } = await import('../serve/run-serve.ts')
  const isWell = await runServe(
    { ...flags, role: 'worker', admin: 'admin', directories: 'none', mustExist: true },
    context,
  )
  return isWell ? exitCodes.ok : exitCodes.someFailed
}
