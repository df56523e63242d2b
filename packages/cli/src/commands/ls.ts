import { type Command, Option } from 'commander'
import { type Context, printJson, printLine } from '../context.ts'
import { type Listed, withEngine } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { readSources } from '../get/request.ts'
import { warnOfInsecure } from '../get/warnings.ts'
import { addAccessOptions, addSpeedOptions, engineOptions, type FetchFlags, fetchOptions } from '../options/fetch.ts'
import { count, printable, withoutSecrets } from '../text.ts'
import { formatSize } from '../units.ts'
import type { Run } from './define.ts'

interface LsFlags extends FetchFlags {
  readonly recursive?: boolean
  readonly long?: boolean
  readonly uri?: boolean
  readonly glob?: boolean
}

export function define(command: Command, run: Run): void {
  command
    .argument('<url...>', 'a directory, a prefix that ends with /, or a pattern; quote patterns')
    .addOption(new Option('-R, --recursive', 'files at every depth instead of one level'))
    .addOption(new Option('-l, --long', 'sizes and times, too'))
    .addOption(new Option('--uri', 'print whole URLs, as get takes them'))
    .addOption(new Option('--no-glob', 'take *, ? and [] as they are'))
  addAccessOptions(command)
  addSpeedOptions(command)
  command.addHelpText(
    'after',
    `
Examples:
  arriero ls s3://bucket/2024/
  arriero ls -l 'ftp://ftp.example.org/pub/*.txt'
  arriero ls -R --json 'sftp://host/data/**/*.h5'

* stands for any characters but /, ? for one, [a-z] for one of these, and ** as
a whole segment for any number of directories.`,
  )
  command.action(run(ls))
}

async function ls(operands: string[], flags: LsFlags, context: Context): Promise<number> {
  const urls = readSources(operands)
  const fetch = fetchOptions(flags, context, urls)
  warnOfInsecure(flags, context)
  return withEngine(engineOptions(flags, context), async (engine, door) => {
    const total = { files: 0, bytes: 0, directories: 0 }
    for (const url of urls) {
      let isEmpty = true
      const options = { ...fetch, engine, isRecursive: flags.recursive === true, isLiteral: flags.glob === false }
      for await (const batch of door.list(url, options)) {
        isEmpty = false
        for (const listed of batch) {
          note(listed, total)
          show(listed, flags, context)
        }
      }
      if (isEmpty && /[*?[]/.test(url) && flags.glob !== false) throw nothing(url)
    }
    if (!context.flags.quiet && !context.flags.json) context.say(summary(total))
    return exitCodes.ok
  })
}

function note({ path, size }: Listed, total: Total): void {
  if (path.endsWith('/')) total.directories++
  else total.files++
  total.bytes += size ?? 0
}

interface Total {
  files: number
  bytes: number
  directories: number
}

function summary({ files, bytes, directories }: Total): string {
  const below = directories > 0 ? `, ${directories === 1 ? '1 directory' : `${directories} directories`}` : ''
  return `${count(files, 'file')}, ${formatSize(bytes)}${below}`
}

function show(listed: Listed, flags: LsFlags, context: Context): void {
  const { uri, path, size, lastModified, unavailable } = listed
  const time = lastModified === undefined ? undefined : new Date(lastModified).toISOString()
  if (context.flags.json) {
    const { etag, version, checksums } = listed
    const shown = withoutSecrets(uri)
    printJson(context, { uri: shown, path, size, lastModified: time, etag, version, checksums, unavailable })
    return
  }
  const name = printable(flags.uri ? withoutSecrets(uri) : path)
  const remark = unavailable === undefined ? '' : `  (${printable(unavailable)})`
  if (!flags.long) printLine(context, `${name}${remark}`)
  else {
    const when = time === undefined ? '' : `${time.slice(0, 10)} ${time.slice(11, 19)}`
    printLine(context, `${String(size ?? '').padStart(15)}  ${when.padEnd(19)}  ${name}${remark}`)
  }
}

function nothing(url: string): ProgramError {
  return new ProgramError('NotFound', `Nothing matches ${withoutSecrets(url)}`, {
    remedy: 'Check the name; quote patterns from the shell.',
  })
}
