import com.typesafe.config.ConfigFactory;
import org.elasticmq.server.ElasticMQServer;
import org.elasticmq.server.config.ElasticMQServerConfig;

/** Runs ElasticMQ with the configuration that -Dconfig.file names. It is run from its source, off the class path of the tests. */
public final class ElasticMq {

    private ElasticMq() {}

    public static void main(String... args) throws InterruptedException {
        var stop = new ElasticMQServer(new ElasticMQServerConfig(ConfigFactory.load())).start();
        Runtime.getRuntime().addShutdownHook(new Thread(stop::apply));
        Thread.currentThread().join();
    }
}
