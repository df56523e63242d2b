import type { Define } from './define.ts'

interface CommandEntry {
  readonly summary: string
  readonly isHidden?: true
  /** Loaded only when the command is used, so that the program starts quickly. */
  readonly load: () => Promise<{ define: Define }>
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  get: { summary: 'fetch files, verified and resumable', load: () => import('./get.ts') },
  cat: { summary: 'write a file’s bytes to stdout, in order', load: () => import('./cat.ts') },
  ls: { summary: 'list what a directory, prefix or pattern holds', load: () => import('./ls.ts') },
  stat: { summary: 'show what a server says of a file', load: () => import('./stat.ts') },
  run: { summary: 'run a pipeline: fetch, compute, write', load: () => import('./run.ts') },
  verify: { summary: 're-read files and compare them with their checksums', load: () => import('./verify.ts') },
  gen3: { summary: 'fetch from data commons by the names of the Gen3 tools', load: () => import('./gen3.ts') },
  profile: { summary: 'summarise or plot what --profile recorded', load: () => import('./profile.ts') },
  bench: { summary: 'measure on your own URLs which settings are fastest', load: () => import('./bench.ts') },
  log: { summary: 'show a log that --log has written', load: () => import('./log.ts') },
  doctor: { summary: 'check this machine and its settings', load: () => import('./doctor.ts') },
  completion: { summary: 'print a script for bash, zsh or fish', load: () => import('./completion.ts') },
  'bench-run': { summary: 'one run of bench', isHidden: true, load: () => import('./bench-run.ts') },
  'bench-serve': { summary: 'the local server of bench', isHidden: true, load: () => import('./bench-serve.ts') },
  complete: { summary: 'answer a completion script', isHidden: true, load: () => import('./complete.ts') },
}
