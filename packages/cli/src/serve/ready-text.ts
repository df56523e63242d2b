/** What is said when the server is ready. */
import type { Ready } from '@arriero/librarian'

export interface ReadyTextOptions extends Ready {
  /** Of a new administrator, where it was made here. */
  readonly password: string | undefined
  readonly settingsPath: string | undefined
}

export interface ReadyText {
  /** What cannot be had again. */
  readonly result: readonly string[]
  readonly advice: readonly string[]
}

export const passwordAdvice =
  'The password is shown this once and kept nowhere; arriero serve --reset-admin makes a new one.'

export function readyText({ settings, listening, admin, password, settingsPath }: ReadyTextOptions): ReadyText {
  return {
    result: admin && password !== undefined ? loginLines(admin.username, password) : [],
    advice: [
      ...(password === undefined ? passwordLines(settings.role, admin) : [passwordAdvice]),
      ...(settingsPath === undefined ? [] : [`Settings: ${settingsPath}`]),
      ...(settings.role === 'worker' || listening === undefined
        ? workerLines(settings.name, listening?.url)
        : apiLines(listening.url, admin?.username ?? 'USER')),
    ],
  }
}

export function loginLines(username: string, password: string): string[] {
  return [`user: ${username}`, `password: ${password}`]
}

/** A first start may have ended before anybody saw its password: the next one says how to get in. */
function passwordLines(role: Ready['settings']['role'], admin: Ready['admin']): string[] {
  if (admin || role === 'worker') return []
  return ['There is an administrator already; if its password is lost, arriero serve --reset-admin makes a new one.']
}

function workerLines(name: string, url: string | undefined): string[] {
  const watched = url === undefined ? [] : [`Metrics: ${url}/metrics; health: ${url}/health`]
  return [`The worker of ${name} is ready.`, ...watched]
}

function apiLines(url: string, user: string): string[] {
  return [
    // Scripts around existing servers wait for the words in brackets (librarian 15).
    `Listening on ${url} (Uvicorn running on ${url}).`,
    'Next, in another terminal:',
    `  arriero login here ${url} --user ${user}`,
    '  arriero upload FILE NAME',
    '  arriero search NAME',
    'Ctrl-C stops it.',
  ]
}
