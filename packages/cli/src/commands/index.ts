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
  serve: { summary: 'run a librarian: keep files and know every copy', load: () => import('./serve.ts') },
  worker: { summary: 'more hands for a librarian’s background work', load: () => import('./worker.ts') },
  login: { summary: 'remember a librarian and your account there', load: () => import('./login.ts') },
  logout: { summary: 'forget a librarian and your account there', load: () => import('./logout.ts') },
  upload: { summary: 'give files or trees to a librarian, to be kept', load: () => import('./upload.ts') },
  download: { summary: 'fetch files or trees from librarians, verified', load: () => import('./download.ts') },
  search: { summary: 'find files at a librarian', load: () => import('./search.ts') },
  list: { summary: 'list what lies at a path of a librarian, or in a tree', load: () => import('./list.ts') },
  locate: { summary: 'show where the copies of a file are', load: () => import('./locate.ts') },
  ingest: { summary: 'have a librarian fetch a list itself', load: () => import('./ingest.ts') },
  validate: { summary: 'have every copy of a file read and compared', load: () => import('./validate.ts') },
  repair: { summary: 'replace damaged copies of a file by good ones', load: () => import('./repair.ts') },
  transfers: { summary: 'list what is on its way into a librarian', load: () => import('./transfers.ts') },
  stores: { summary: 'list a librarian’s stores, switch them on or off', load: () => import('./stores.ts') },
  sneakernet: { summary: 'carry files on disks from librarian to librarian', load: () => import('./sneakernet.ts') },
  users: { summary: 'list, add and change a librarian’s users', load: () => import('./users.ts') },
  errors: { summary: 'list and clear what a librarian wrote down as errors', load: () => import('./errors.ts') },
  delete: { summary: 'delete copies from a store, while enough good ones remain', load: () => import('./delete.ts') },
  destroy: { summary: 'destroy a file on purpose, as two administrators want', load: () => import('./destroy.ts') },
  tasks: { summary: 'list a librarian’s recurring tasks, run one now', load: () => import('./tasks.ts') },
  trash: { summary: 'list deleted copies and bring them back', load: () => import('./trash.ts') },
  librarians: { summary: 'list and change whom a librarian sends to', load: () => import('./librarians.ts') },
  librarian: { summary: 'the commands of the older client by their names', load: () => import('./librarian.ts') },
  profile: { summary: 'summarise or plot what --profile recorded', load: () => import('./profile.ts') },
  bench: { summary: 'measure on your own URLs which settings are fastest', load: () => import('./bench.ts') },
  log: { summary: 'show a log that --log has written', load: () => import('./log.ts') },
  doctor: { summary: 'check this machine and its settings', load: () => import('./doctor.ts') },
  'repair-database': {
    summary: 'make lost rows of a librarian again from its upstream',
    load: () => import('./repair-database.ts'),
  },
  completion: { summary: 'print a script for bash, zsh or fish', load: () => import('./completion.ts') },
  'bench-run': { summary: 'one run of bench', isHidden: true, load: () => import('./bench-run.ts') },
  'bench-serve': { summary: 'the local server of bench', isHidden: true, load: () => import('./bench-serve.ts') },
  complete: { summary: 'answer a completion script', isHidden: true, load: () => import('./complete.ts') },
}
