/** Events in a file, one JSON object per line: in our form, or in that of `retriever.log` (retrieval 15). */
import { closeSync, openSync, writeSync } from 'node:fs'
import { type Context, warn } from './context.ts'
import type { TransferEvent } from './engine.ts'
import { ProgramError } from './errors.ts'
import { eventSentence } from './events.ts'
import { writeReason } from './system-error.ts'
import { jsonLine } from './text.ts'

export const logFormats = ['arriero', 'retriever'] as const
export type LogFormat = (typeof logFormats)[number]

/** The fields of `retriever.log`, and no others. */
export interface RetrieverLine {
  readonly level: TransferEvent['level']
  readonly log: string
  /** Who says it: our stage. */
  readonly actor: string
  /** ISO 8601, UTC. */
  readonly timestamp: string
  /** The kind of event, by which a viewer can drop it. */
  readonly log_id?: string | undefined
  readonly tags?: Readonly<Record<string, unknown>> | undefined
}

const lineOf: Readonly<Record<LogFormat, (event: TransferEvent) => unknown>> = {
  arriero: ({ ts, level, stage, event, run, file, part, fields = {} }) => ({
    ...{ ts, level, stage, event, run, file, part },
    fields,
  }),
  retriever: asRetriever,
}

function asRetriever(event: TransferEvent): RetrieverLine {
  const { ts, level, stage, run, file, part, fields } = event
  const tags = { run, file, part, ...fields }
  return { level, log: eventSentence(event), actor: stage, timestamp: ts, log_id: event.event, tags }
}

/**
 * Opens the file for appending, so that several runs can share it. Each line is handed to the system as it happens: what
 * a killed run knew is there. A disk that is full ends the log with a warning, and never the transfer.
 *
 * @throws ProgramError Disk when the file cannot be opened
 */
export function openEventLog(path: string, format: LogFormat, context: Context): (event: TransferEvent) => void {
  let fd: number | undefined
  try {
    fd = openSync(path, 'a')
  } catch (error) {
    throw new ProgramError('Disk', `Cannot write the log ${path}: ${writeReason(error)}`, {
      remedy: 'Check the path and its permissions.',
      cause: error,
    })
  }
  return event => {
    if (fd === undefined) return
    try {
      writeSync(fd, `${jsonLine(lineOf[format](event))}\n`)
    } catch (error) {
      warn(context, `the log ${path} ends here: ${writeReason(error)}`)
      closeSync(fd)
      fd = undefined
    }
  }
}
