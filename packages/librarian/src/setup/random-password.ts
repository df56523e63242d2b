/** 144 random bits, in characters that survive shells, URLs and being read aloud. */
export function randomPassword(random: (bytes: number) => Buffer): string {
  return random(18).toString('base64url')
}
