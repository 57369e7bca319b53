package io.flagtally.broker.aws;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A topic or a queue as an operator writes it: an ARN, the URL of a queue, or the name of a queue in the region that is
 * configured.
 *
 * @param text as it was written
 * @param name the name of the queue; that of a topic is its ARN
 * @param account the account that owns it, if it was written
 */
record AwsAddress(Kind kind, String text, String name, Optional<String> account) {

    enum Kind {
        TOPIC("SNS topic"),
        QUEUE("SQS queue"),
        QUEUE_URL("SQS queue");

        private final String words;

        Kind(String words) {
            this.words = words;
        }
    }

    private static final Pattern QUEUE_ARN = Pattern.compile("arn:[^:]*:sqs:[^:]*:([0-9]*):(.+)");
    private static final Pattern TOPIC_ARN = Pattern.compile("arn:[^:]*:sns:.+");
    private static final Pattern URL = Pattern.compile("https?://.+/([^/]+)");
    private static final String ORDERED_SUFFIX = ".fifo";

    static AwsAddress of(String text) {
        Matcher queue = QUEUE_ARN.matcher(text);
        if (queue.matches()) {
            Optional<String> account = Optional.of(queue.group(1)).filter(digits -> !digits.isEmpty());
            return new AwsAddress(Kind.QUEUE, text, queue.group(2), account);
        }
        if (TOPIC_ARN.matcher(text).matches()) {
            return new AwsAddress(Kind.TOPIC, text, text, Optional.empty());
        }
        Matcher url = URL.matcher(text);
        return url.matches()
                ? new AwsAddress(Kind.QUEUE_URL, text, url.group(1), Optional.empty())
                : new AwsAddress(Kind.QUEUE, text, text, Optional.empty());
    }

    /** Whether AWS keeps the order of messages of one group here. */
    boolean isOrdered() {
        return text.endsWith(ORDERED_SUFFIX);
    }

    /** The thing for a person: {@code the SQS queue flag-events}. */
    @Override
    public String toString() {
        return "the " + kind.words + " " + name;
    }
}
