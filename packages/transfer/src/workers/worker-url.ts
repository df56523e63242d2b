/** The URL of a worker's file beside the caller's: source under tests, built code in production. */
export function workerUrl(name: string, importMetaUrl: string): URL {
  const extension = importMetaUrl.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./${name}.${extension}`, importMetaUrl)
}
