from digitcli.training.history import Epoch, Score, history_csv


def test_a_line_of_the_table_is_an_epoch():
    epoch = Epoch(
        number=3,
        training=Score(0.25, 0.5),
        validation=Score(0.125, 0.75),
        distorted=Score(0.5, 0.625),
        learning_rate=0.00125,
        seconds=4.5678,
        best=True,
    )
    assert history_csv([epoch]) == (
        "epoch,loss,accuracy,validation_loss,validation_accuracy,"
        "distorted_loss,distorted_accuracy,learning_rate,seconds\n"
        "3,0.250000,0.500000,0.125000,0.750000,0.500000,0.625000,0.00125,4.57\n"
    )
    assert epoch.choice_loss == 0.625
