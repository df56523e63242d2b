/** An answer in the words of S3 instead of what was asked for. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message?: string | undefined
  /** Further elements. */
  readonly more?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** In pieces without a length, as Amazon sends it. Default false. */
  readonly isChunked?: boolean | undefined
}

export function refusalBody({ code, message = '', more = '' }: Refusal): string {
  const text = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${text}</Message>${more}<RequestId>R1</RequestId></Error>`
}
