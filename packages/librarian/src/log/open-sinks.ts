/** Where lines of the log go besides stderr, as the settings say (librarian 13, 16). */
import { systemClock } from '../clock.ts'
import type { Settings } from '../config.ts'
import { createLogFile, type LogSink } from './log-file.ts'
import { createNotifier } from './notifier.ts'
import { parseRotation } from './rotation.ts'
import { slackForm } from './slack.ts'
import { webhookForm } from './webhook.ts'

export interface OpenSinksOptions {
  readonly settings: Pick<Settings, 'log' | 'notifications' | 'name' | 'displayedSiteName'>
  /** What is wrong with a sink: for stderr, since the log itself would come back to it. */
  readonly onProblem: (message: string) => void
}

export function openLogSinks({ settings, onProblem }: OpenSinksOptions): LogSink {
  const { log, notifications, name, displayedSiteName } = settings
  const { windowMs } = notifications
  const sinks: LogSink[] = Object.entries(log.files).map(([path, rotation]) =>
    createLogFile(path, { rotation: parseRotation(rotation), clock: systemClock, onProblem }),
  )
  if (log.slackEnabled && log.slackUrl) {
    const form = slackForm(displayedSiteName)
    const hook = { url: log.slackUrl }
    sinks.push(createNotifier({ hook, level: log.slackLevel, form, windowMs, what: 'The Slack webhook', onProblem }))
  }
  const { url, token, level } = notifications
  if (url) {
    const form = webhookForm({ librarian: name, site: displayedSiteName })
    const what = 'The webhook of notifications'
    sinks.push(createNotifier({ hook: { url, token }, level, form, windowMs, what, onProblem }))
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
