/** The release, as answers and logs tell it; the workspace has one version, and a test holds this to it. */
export const version = '0.1.0'
