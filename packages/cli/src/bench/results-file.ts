/** The file of JSON lines that grows run by run: what is broken off leaves what it measured. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { ProgramError } from '../errors.ts'
import { writeReason } from '../system-error.ts'
import { jsonLine } from '../text.ts'
import type { BenchRecord } from './record.ts'

export interface Results extends Disposable {
  add(record: BenchRecord): void
}

/** Opened before anything is measured. @throws ProgramError Disk, also later when the disk is full */
export function openResults(path: string): Results {
  const tried = <T>(action: () => T): T => {
    try {
      return action()
    } catch (error) {
      throw new ProgramError(
        (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'NoSpace' : 'Disk',
        `Cannot write the results ${path}: ${writeReason(error)}`,
        {
          remedy: 'Check the path and its permissions.',
          cause: error,
        },
      )
    }
  }
  const fd = tried(() => openSync(path, 'a'))
  return {
    add: record => void tried(() => writeSync(fd, `${jsonLine(record)}\n`)),
    [Symbol.dispose]: () => closeSync(fd),
  }
}
