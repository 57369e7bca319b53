package io.flagtally.broker.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A stand-in for the queues of a RabbitMQ 4, of which no packaged server is at hand: a declaration whose arguments are not those
 * of the queue is refused and closes its channel. Harsher than the real one, on a channel that is closed nothing works.
 */
final class RabbitForTests {

    /** The arguments of each queue. */
    final Map<String, Object> queues = new HashMap<>();

    int refusals;

    private final Connection connection =
            made(Connection.class, (self, method, arguments) -> switch (method.getName()) {
                case "getServerProperties" -> Map.of("version", "4.1.2");
                case "createChannel" -> channel();
                default -> throw new UnsupportedOperationException(method.getName());
            });

    Channel channel() {
        boolean[] closed = {false};
        return made(Channel.class, (self, method, arguments) -> {
            if (closed[0] && !method.getName().equals("abort")) {
                throw new IOException("the channel is closed");
            }
            return switch (method.getName()) {
                case "getConnection" -> connection;
                case "exchangeDeclare", "queueBind", "abort" -> null;
                case "queueDeclare" -> {
                    Object there = queues.putIfAbsent((String) arguments[0], arguments[4]);
                    closed[0] = there != null && !there.equals(arguments[4]);
                    yield closed[0] ? refuse(AMQP.PRECONDITION_FAILED) : null;
                }
                case "queueDeclarePassive" -> {
                    closed[0] = !queues.containsKey(arguments[0]);
                    yield closed[0] ? refuse(AMQP.NOT_FOUND) : null;
                }
                default -> throw new UnsupportedOperationException(method.getName());
            };
        });
    }

    private Object refuse(int code) throws IOException {
        refusals++;
        AMQP.Channel.Close close = new AMQP.Channel.Close.Builder()
                .replyCode(code)
                .replyText("of the test")
                .build();
        throw new IOException(new ShutdownSignalException(false, false, close, List.of()));
    }

    private static <T> T made(Class<T> type, InvocationHandler answers) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, answers));
    }
}
