/** Where lines of the log go besides stderr, as the settings say (librarian 13, 16). */
import { systemClock } from '../clock.ts'
import type { Settings } from '../config.ts'
import { createLogFile, type LogSink } from './log-file.ts'
import { parseRotation } from './rotation.ts'
import { createSlack } from './slack.ts'

export interface OpenSinksOptions {
  readonly settings: Pick<Settings, 'log' | 'displayedSiteName'>
  /** What is wrong with a sink: for stderr, since the log itself would come back to it. */
  readonly onProblem: (message: string) => void
}

export function openLogSinks({ settings: { log, displayedSiteName }, onProblem }: OpenSinksOptions): LogSink {
  const sinks: LogSink[] = Object.entries(log.files).map(([path, rotation]) =>
    createLogFile(path, { rotation: parseRotation(rotation), clock: systemClock, onProblem }),
  )
  if (log.slackEnabled && log.slackUrl) {
    sinks.push(createSlack({ url: log.slackUrl, level: log.slackLevel, username: displayedSiteName, onProblem }))
  }
  return {
    write(line) {
      for (const sink of sinks) sink.write(line)
    },
    async close() {
      await Promise.all(sinks.map(sink => sink.close()))
    },
  }
}
