//! The settings of the local servers: small, on loopback only, and as safe as one node can be.

use std::path::Path;

use anyhow::Result;

use super::ports;

/// Id of the local cluster. Every local broker stands alone, so they may share it.
pub(crate) const CLUSTER: &str = "VGFwZWRlY2stbG9jYWwtMQ";

/// Memory that ClickHouse may take, bytes.
const CLICKHOUSE_MEMORY: u64 = 3_000_000_000;

/// The two ports of a broker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KafkaPorts {
    pub(crate) broker: u16,
    /// Where the broker talks to its own controller.
    pub(crate) controller: u16,
}

impl KafkaPorts {
    pub(crate) fn free() -> Result<Self> {
        Ok(Self { broker: ports::free()?, controller: ports::free()? })
    }
}

/// The two ports of ClickHouse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClickHousePorts {
    pub(crate) http: u16,
    /// Native protocol.
    pub(crate) tcp: u16,
}

/// Kafka's `server.properties`: one node that is broker and controller, with its data in `data`.
pub(crate) fn kafka(ports: &KafkaPorts, data: &Path) -> String {
    let KafkaPorts { broker, controller } = ports;
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{broker}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         inter.broker.listener.name=PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         log.dirs={}\n\
         num.partitions=4\n\
         auto.create.topics.enable=false\n\
         # Frames of up to 16 MB go to the dead letters whole; their topics allow it, and fetches must as well.\n\
         replica.fetch.max.bytes=33554432\n\
         # One node: nothing to replicate to.\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         # A consumer alone in its group need not wait for others.\n\
         group.initial.rebalance.delay.ms=0\n\
         # Small: a developer's machine.\n\
         log.segment.bytes=67108864\n\
         num.network.threads=2\n\
         num.io.threads=2\n\
         background.threads=2\n",
        data.display()
    )
}

/// Kafka's log4j2 configuration: to stdout, which the stack keeps in a file.
pub(crate) const KAFKA_LOGGING: &str = "\
Configuration:
  status: WARN
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: \"[%d] %p %m (%c)%n\"
  Loggers:
    Root:
      level: WARN
      AppenderRef:
        ref: STDOUT
    Logger:
      - name: kafka.server
        level: INFO
";

/// ClickHouse's `config.xml`.
pub(crate) fn clickhouse(ports: &ClickHousePorts, folder: &Path) -> String {
    let ClickHousePorts { http, tcp } = ports;
    let folder = folder.display();
    format!(
        "<clickhouse>
  <!-- What the library goes by; it ignores the level below, and otherwise logs every step. -->
  <log-level>information</log-level>
  <logger>
    <level>information</level>
    <log>{folder}/server.log</log>
    <errorlog>{folder}/errors.log</errorlog>
    <size>100M</size>
    <count>2</count>
  </logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http}</http_port>
  <tcp_port>{tcp}</tcp_port>
  <users_config>{folder}/users.xml</users_config>
  <max_server_memory_usage>{CLICKHOUSE_MEMORY}</max_server_memory_usage>
  <mark_cache_size>268435456</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>4</background_pool_size>
  <!-- A thread for each consumer: two an exchange and database, of which tests have many. -->
  <background_message_broker_schedule_pool_size>128</background_message_broker_schedule_pool_size>
  <!-- A killed consumer otherwise holds its partitions for librdkafka's default 45 s. -->
  <kafka><session_timeout_ms>6000</session_timeout_ms><heartbeat_interval_ms>1000</heartbeat_interval_ms></kafka>
</clickhouse>
"
    )
}

/// ClickHouse's `users.xml`: `default` without a password, and `tapedeck` with one for those who test passwords. Both
/// from this machine only. Blocks are not merged with themselves while they are inserted: it costs more than it saves.
pub(crate) const CLICKHOUSE_USERS: &str = "\
<clickhouse>
  <profiles><default><optimize_on_insert>0</optimize_on_insert></default></profiles>
  <quotas><default></default></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
    </default>
    <tapedeck>
      <password>tapedeck</password>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </tapedeck>
  </users>
</clickhouse>
";
