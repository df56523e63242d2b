import { Option } from 'commander'
import type { Context } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { loadClient } from './client.ts'

export interface PasswordFlags {
  readonly passwordFile?: string
  readonly passwordStdin?: boolean
}

/** Never on the command line: everybody on the machine can read that (reliability F1). */
export function passwordOptions(whose: string): Option[] {
  return [
    new Option('--password-file <FILE>', `read ${whose} from the first line of a file that only you can read`),
    new Option('--password-stdin', `read ${whose} from stdin`),
  ]
}

/** From a file, from stdin, or from the person at the terminal, who does not see it. */
export async function readPassword(flags: PasswordFlags, prompt: string, context: Context): Promise<string> {
  const { passwordFile, passwordStdin } = flags
  const { terminal } = context
  if (passwordFile !== undefined && passwordStdin) {
    throw new ProgramError('Usage', '--password-file and --password-stdin contradict each other.')
  }
  if (passwordFile !== undefined) return (await loadClient()).readPasswordFile(passwordFile, terminal.env)
  if (passwordStdin) return firstLine(terminal.stdin)
  if (!terminal.readSecret) {
    throw new ProgramError('Usage', 'A password is needed, and nobody is at the terminal to type it.', {
      remedy: 'Give it by --password-file or --password-stdin.',
    })
  }
  const password = await terminal.readSecret(prompt, context.signal)
  return password === '' ? refuseEmpty() : password
}

/** Of new ones: a rule of this command alone, because other clients of the wire have none. */
const FEWEST_CHARACTERS = 8

/** Asked twice where a person types what nobody has seen before. */
export async function readNewPassword(flags: PasswordFlags, whose: string, context: Context): Promise<string> {
  const first = await readPassword(flags, `New password of ${whose}: `, context)
  if ([...first].length < FEWEST_CHARACTERS) {
    throw new ProgramError(
      'Usage',
      `A new password must have at least ${FEWEST_CHARACTERS} characters; nothing was changed.`,
    )
  }
  const isTyped = flags.passwordFile === undefined && !flags.passwordStdin
  if (isTyped && (await readPassword(flags, 'The same again: ', context)) !== first) {
    throw new ProgramError('Usage', 'The two passwords differ; nothing was changed.')
  }
  return first
}

const MOST_BYTES = 1024

async function firstLine(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stdin) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MOST_BYTES || chunk.includes(0x0a)) break
  }
  const line = Buffer.concat(chunks).toString('utf8').split(/\r?\n/)[0] ?? ''
  if (Buffer.byteLength(line) > MOST_BYTES)
    throw new ProgramError('Usage', `A password has at most ${MOST_BYTES} bytes.`)
  return line === '' ? refuseEmpty() : line
}

function refuseEmpty(): never {
  throw new ProgramError('Usage', 'The password is empty.')
}
