import socket

from infra.remote.endpoints import LOCALHOST, Endpoints, free_ports


def test_the_ports_are_different_and_free():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as taken:
            taken.bind((LOCALHOST, port))


def test_no_port_is_given_twice_and_none_of_those_that_systems_give_to_connections():
    ports = [port for _ in range(10) for port in free_ports(5)]
    assert len({*ports}) == 50
    assert max(ports) < 32768


def test_a_port_that_is_taken_is_passed_over():
    with socket.socket() as taken:
        (port,) = free_ports(1)
        taken.bind((LOCALHOST, port + 1))
        taken.listen()
        assert port + 1 not in free_ports(3)


def test_googles_clients_are_told_by_environment_variables():
    assert Endpoints("p", "h:1", "h:2").env == {
        "GOOGLE_CLOUD_PROJECT": "p",
        "PUBSUB_EMULATOR_HOST": "h:1",
        "FIRESTORE_EMULATOR_HOST": "h:2",
    }
