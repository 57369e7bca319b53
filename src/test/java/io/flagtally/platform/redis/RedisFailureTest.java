package io.flagtally.platform.redis;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.redis.client.impl.types.ErrorType;
import java.net.ConnectException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisFailureTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CONNECTION_CLOSED",
                "LOADING Redis is loading the dataset in memory",
                "READONLY You can't write against a read only replica.",
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                "OOM command not allowed when used memory > 'maxmemory'.",
                "CLUSTERDOWN The cluster is down",
                "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
                "MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.",
                "NOREPLICAS Not enough good replicas to write.",
                "NOAUTH Authentication required.",
                "NOPERM this user has no permissions to run the 'evalsha' command",
                "ERR max number of clients reached",
                "ERR unknown command `EVALSHA`, with args beginning with: `1b2c`",
                "ERR Error running script (call to f_1b2c): @user_script:12: @user_script: 12: -OOM command not allowed"
                        + " when used memory > 'maxmemory'.",
                "-READONLY You can't write against a read only replica. script: 1b2c, on @user_script:3."
            })
    void isOfTheServer_errorThatSpeaksOfTheServer_isTrue(String message) {
        assertTrue(RedisFailure.isOfTheServer(ErrorType.create(message)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "WRONGTYPE Operation against a key holding the wrong kind of value",
                "ERR value is not an integer or out of range",
                "ERR Error running script (call to f_1b2c): @user_script:12: attempt to index a nil value",
                "ERR unknown subcommand or wrong number of arguments for 'BUSYNESS'",
                "INVALIDOBJ Corrupted HLL object detected"
            })
    void isOfTheServer_errorThatSpeaksOfTheCommand_isFalse(String message) {
        assertFalse(RedisFailure.isOfTheServer(ErrorType.create(message)));
    }

    @Test
    void isOfTheServer_noReplyAtAll_isTrueUnlessTheFaultIsOurs() {
        assertTrue(RedisFailure.isOfTheServer(new ConnectException("Connection refused")));
        assertFalse(RedisFailure.isOfTheServer(new NullPointerException()));
    }
}
