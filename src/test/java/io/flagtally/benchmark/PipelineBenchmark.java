package io.flagtally.benchmark;

final class PipelineBenchmark {
    static void main(String[] args) {}
}
