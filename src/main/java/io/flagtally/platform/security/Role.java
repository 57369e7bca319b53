package io.flagtally.platform.security;

/** What an API key may do. */
public enum Role {
    /** The SDK doors, for keys that end users can see. */
    SDK_CLIENT,
    /** The SDK doors, for keys that stay on servers. */
    SDK_SERVER,
    /** Reads, the live stream and the console. */
    READ_ONLY,
    /** Everything but the SDK doors. */
    ADMIN
}
