import { TransferError } from '../../errors.ts'
import type { Control } from './control.ts'
import { refusal } from './failure.ts'
import type { Reply } from './reply.ts'

export interface Login {
  /** Bytes, one per character. */
  readonly user: string
  readonly password: string
}

export interface LoginOptions {
  readonly login: Login
  readonly security: 'none' | 'explicit' | 'implicit'
  /** Data connections in the clear below a secured control connection. */
  readonly isDataClear: boolean
  readonly signal: AbortSignal
}

/** From the greeting to the first command about a file. Returns the features that the server names, in upper case. */
export async function login(control: Control, options: LoginOptions): Promise<ReadonlySet<string>> {
  const { security, isDataClear, signal } = options
  const { uri } = control
  const must = async (command: string, isGood: (code: number) => boolean) => {
    const reply = await control.ask(command)
    if (!isGood(reply.code)) throw refusal(reply, { uri, asked: (command.split(' ', 1) as [string])[0] })
    return reply
  }
  await greeting(control)
  if (security === 'explicit') {
    await secured(must, uri)
    await control.secure(signal)
  }
  await authenticate(control, options.login)
  if (control.isSecure) {
    await control.ask('PBSZ 0')
    await must(isDataClear ? 'PROT C' : 'PROT P', isDone)
  }
  const features = parseFeatures(await control.ask('FEAT'))
  // RFC 2640 has no such command, but some servers speak UTF-8 only after it.
  if (features.has('UTF8')) await control.ask('OPTS UTF8 ON')
  await must('TYPE I', isDone)
  return features
}

/** 120 asks to wait for the greeting proper. */
async function greeting(control: Control): Promise<void> {
  for (;;) {
    const reply = await control.reply()
    if (reply.code === 220) return
    if (reply.code !== 120) throw refusal(reply, { uri: control.uri, asked: 'the greeting' })
  }
}

/** Whoever asked for TLS must never be logged in without. */
async function secured(must: (command: string, isGood: (code: number) => boolean) => Promise<Reply>, uri: string) {
  try {
    await must('AUTH TLS', code => code === 234)
  } catch (cause) {
    if (!(cause instanceof TransferError) || cause.retriable) throw cause
    throw new TransferError(
      'Unsupported',
      `Cannot fetch ${uri}: the server offers no TLS (${cause.status ?? 'no answer'})`,
      {
        url: uri,
        cause,
      },
    )
  }
}

async function authenticate(control: Control, { user, password }: Login): Promise<void> {
  const { uri } = control
  let reply = await control.ask(`USER ${user}`)
  if (reply.code === 331) {
    reply = await control.ask(`PASS ${password}`)
    if (!isDone(reply.code)) throw refusal(reply, { uri, asked: 'PASS' })
    return
  }
  if (!isDone(reply.code)) throw refusal(reply, { uri, asked: 'USER' })
}

/** One feature per line, each with a blank before it (RFC 2389). */
function parseFeatures({ code, lines }: Reply): Set<string> {
  if (code !== 211) return new Set()
  return new Set(lines.slice(1, -1).map(line => line.trim().toUpperCase()))
}

const isDone = (code: number) => code >= 200 && code < 300
