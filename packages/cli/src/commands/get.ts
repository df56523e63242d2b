import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { readRequest } from '../get/request.ts'
import { addGetOptions, type GetFlags } from '../options/file.ts'
import { addHooksOption, withUserHooks } from '../options/hooks.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command
    .argument('[url...]', 'what to fetch; a last one without a scheme is the target')
    .usage('<url> [FILE]  |  <url>… [-d DIR]  |  --manifest LIST [-d DIR]')
  addGetOptions(command)
  addHooksOption(command)
  command.addHelpText(
    'after',
    `
Examples:
  arriero get https://data.example.org/ocean.nc
  arriero get https://data.example.org/ocean.nc renamed.nc
  arriero get https://data.example.org/ocean.nc --checksum sha256:9f86d081…
  arriero get https://a.example.org/x.h5 --mirror https://b.example.org/x.h5
  arriero get https://example.org/a.nc https://example.org/b.nc -d data
  arriero get --manifest list.csv -d data --report report.jsonl
  arriero get https://data.example.org/run7.tar -o - | tar x
  arriero get --manifest list.csv -d data --hooks hooks.ts

A file has its name only when it is complete, verified and on the disk.
Ctrl-C stops; the same command again continues.`,
  )
  command.action(run(get))
}

async function get(operands: string[], flags: GetFlags, context: Context): Promise<number> {
  const request = readRequest(operands, flags)
  return withUserHooks(flags, context, given => getRequest(request, given, context))
}

async function getRequest(request: ReturnType<typeof readRequest>, flags: GetFlags, context: Context): Promise<number> {
  switch (request.kind) {
    case 'stdout':
      return (await import('../get/to-stdout.ts')).getToStdout(request.url, flags, context)
    case 'one':
      if (flags.dryRun) return (await import('../get/dry-run.ts')).showPlan(request, flags, context)
      return (await import('../get/one.ts')).getOne(request, flags, context)
    default:
      if (flags.dryRun) return (await import('../get/dry-run.ts')).showPlan(request, flags, context)
      return (await import('../get/many.ts')).getMany(request, flags, context)
  }
}
