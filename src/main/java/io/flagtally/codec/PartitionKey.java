package io.flagtally.codec;

/** What decides the partition of a message, where the broker has partitions; travels as message metadata. */
public record PartitionKey(String value) {}
