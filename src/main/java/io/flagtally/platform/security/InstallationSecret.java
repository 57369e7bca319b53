package io.flagtally.platform.security;

import io.smallrye.mutiny.Uni;

/** A port: a secret of the installation. Every process gives the same, made at random by whichever asked first. */
public interface InstallationSecret {

    /** Returns at least 32 bytes. Fails while their store is away. */
    Uni<byte[]> bytes();
}
