/** Tests of the proof's parts; the proof itself is run by {@code ProveIT}. */
package io.flagtally.proof;
